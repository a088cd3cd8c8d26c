"""What each pure step costs a record, beside a plain peer that does the same work in the same run."""
