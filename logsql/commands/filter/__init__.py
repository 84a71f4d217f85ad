"""Commands that choose, order, cut and repeat rows, and those that only hold subqueries."""
