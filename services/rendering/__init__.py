"""Episodes for human readers: text, Markdown, HTML."""
