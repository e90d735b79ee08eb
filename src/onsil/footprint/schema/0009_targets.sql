-- targets
SELECT 1;
