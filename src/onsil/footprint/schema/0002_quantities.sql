-- quantities
SELECT 1;
