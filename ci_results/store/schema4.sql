-- Schema 4: what the caller told of a record that could not be read, so that it can be read again.

-- JSON object of texts ("item", "item_type", "prefix", "format"...); null = nothing was told
alter table _quarantine add column told text;
