STEP = "step-32"
