-- What wrk has measured, in one line that bench/wrk.ts reads.
function done(summary, latency)
    local errors = summary.errors
    io.write(string.format('RESULT {"requests":%d,"micros":%d,"p99":%d,"refused":%d,"broken":%d}\n', summary.requests, summary.duration,
        latency:percentile(99), errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
