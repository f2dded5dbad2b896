"""The page on which whoever was asked by mail signs a receipt."""
