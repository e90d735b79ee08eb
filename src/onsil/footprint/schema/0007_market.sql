-- market
SELECT 1;
