"""Files of records: read and written line by line, row by row, in bounded memory."""
