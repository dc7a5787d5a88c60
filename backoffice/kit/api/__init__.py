"""What every operation of the JSON API is made of, and what the API does for all of them."""
