STEP = "step-16"
