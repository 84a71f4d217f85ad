"""Files of the product: the policy, the atomic writer, the lock, the state folder."""
