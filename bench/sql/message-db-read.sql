select * from get_category_messages($1, $2, $3);
