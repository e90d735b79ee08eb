-- factors
SELECT 1;
