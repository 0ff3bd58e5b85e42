-- Schema 4 on PostgreSQL: the column of schema4.sql.

alter table _quarantine add column told text collate "C";
