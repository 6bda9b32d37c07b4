"""A local web page over volumes, labels and results."""
