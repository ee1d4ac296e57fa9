STEP = "step-17"
