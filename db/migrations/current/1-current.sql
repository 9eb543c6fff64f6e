-- Tables, types, indexes, constraints of the next change.

drop function if exists app_hidden.match_rank(uuid, tsquery);
-- It has one parameter more from now on.
drop function if exists app_private.enqueue(text, uuid, jsonb, timestamptz, text, integer);
