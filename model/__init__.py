STEP = "step-02"
