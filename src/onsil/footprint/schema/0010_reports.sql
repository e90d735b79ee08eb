-- reports
SELECT 1;
