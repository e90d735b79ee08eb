-- inventory
SELECT 1;
