"""The market for companies: what is offered, buying, holding, and using credits up."""
