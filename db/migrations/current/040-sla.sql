-- One walk took its place.
drop function app_hidden.business_open(jsonb, tstzrange);
