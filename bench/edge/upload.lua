-- For wrk: each request has a body of 1 MiB.
wrk.method = "POST"
wrk.body = string.rep("x", 1024 * 1024)
