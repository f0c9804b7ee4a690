"""What every lab is made of: a box with its worker, pictures, choosers, drawings."""
