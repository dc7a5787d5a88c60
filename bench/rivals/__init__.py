"""What people would use instead, each written as its community would."""
