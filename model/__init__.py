STEP = "step-36"
