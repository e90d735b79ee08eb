-- Why a city's log is not signed on at present; no row while it is.
CREATE TABLE proof_refusal (
  city text NOT NULL PRIMARY KEY,
  since timestamptz NOT NULL,
  words text NOT NULL
);
SELECT onsil_tenant('proof_refusal');
