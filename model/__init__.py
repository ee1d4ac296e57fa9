STEP = "step-12"
