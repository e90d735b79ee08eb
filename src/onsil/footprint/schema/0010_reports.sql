-- Reports as they were made: their whole content, from which every form of them is drawn.
CREATE TABLE footprint_report (
  city text NOT NULL,
  id uuid NOT NULL,
  kind text NOT NULL CHECK (kind IN ('monitoring', 'implementation')),
  subject uuid NOT NULL,
  language text NOT NULL CHECK (language IN ('ko', 'en')),
  content text NOT NULL,
  sha256 text NOT NULL CHECK (sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
  actor text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (city, id),
  UNIQUE (city, kind, subject, language, sha256)
);
SELECT onsil_append_only('footprint_report');
