"""Pictures by matplotlib and plotly: axes in, axes out."""
