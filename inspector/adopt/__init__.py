"""Taking in models made elsewhere: OpenVINO IR and ONNX become ordinary bundles."""
