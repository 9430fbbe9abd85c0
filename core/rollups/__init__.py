"""What is counted of whole local days, so that it is quick to read and outlives the visits. No pandas here."""
