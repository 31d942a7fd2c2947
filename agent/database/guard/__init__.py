"""Guard-rails: what a pending migration would break, lock or lose, judged before it runs."""
