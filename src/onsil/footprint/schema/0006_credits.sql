-- credits
SELECT 1;
