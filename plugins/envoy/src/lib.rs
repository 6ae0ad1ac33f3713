mod entropy;
