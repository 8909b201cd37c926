select :"schema".declare_category($1, $2)
