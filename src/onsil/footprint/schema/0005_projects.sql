-- projects
SELECT 1;
