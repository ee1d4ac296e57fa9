STEP = "step-35"
