"""What a database's schema is: one line of JSON an object, a hash over all, and what two of them differ in."""
