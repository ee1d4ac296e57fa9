STEP = "step-24"
