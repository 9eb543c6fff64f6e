-- They follow from audited rows, and each word of a ticket was recorded twice more with every comment.
drop trigger if exists _900_audit on app_hidden.ticket_documents;
drop trigger if exists _900_audit on app_hidden.search_words;
