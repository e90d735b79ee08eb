-- The daily proof that the money behind the local currency is there: its figures as they were.
CREATE TABLE trust_report (
  city text NOT NULL,
  day date NOT NULL,
  id uuid NOT NULL,
  as_of timestamptz NOT NULL,
  figures jsonb NOT NULL,
  covered boolean NOT NULL,
  PRIMARY KEY (city, day),
  UNIQUE (city, id)
);
SELECT onsil_append_only('trust_report');
