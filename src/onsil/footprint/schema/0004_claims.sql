-- claims
SELECT 1;
