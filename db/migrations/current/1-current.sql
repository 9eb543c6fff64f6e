-- Tables, types, indexes, constraints of the next change.

drop function if exists app_hidden.match_rank(uuid, tsquery);
