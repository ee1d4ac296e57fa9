STEP = "step-27"
