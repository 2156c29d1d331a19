// ali-oss, one of the clients that run.py compares: see ../c/measure.h.
// THREADS is the number of concurrent calls.
'use strict'

const fs = require('fs')
const OSS = require('ali-oss')

const [port, operation, count, threads] = process.argv.slice(2)
const client = new OSS({
  accessKeyId: 'LTAI5tBenchKeyId',
  accessKeySecret: 'BenchSecret7xYzABCDEFGH01',
  bucket: 'live-demo',
  endpoint: `http://127.0.0.1:${port}`,
  sldEnable: true
})
const camera = {
  Description: 'Camera',
  Status: 'enabled',
  Target: { Type: 'HLS', FragDuration: 5, FragCount: 3, PlaylistName: 'playlist.m3u8' }
}

const call = {
  stat: () => client.getChannelStatus('cam-0001'),
  history: () => client.getChannelHistory('cam-0001'),
  list100: () => client.listChannels({ 'max-keys': 100 }),
  list1000: () => client.listChannels({ 'max-keys': 1000 }),
  put: () => client.putChannel('cam-0001', camera),
  sign: () => client.getRtmpUrl('cam-0001', { params: {}, expires: 1800 })
}[operation]

const now = () => Number(process.hrtime.bigint()) / 1e3
const cpu = () => {
  const usage = process.cpuUsage()
  return usage.user + usage.system
}

async function times (out) {
  for (let i = 0; i < Math.floor(count / threads); i++) {
    const started = now()
    await call()
    out.push(now() - started)
  }
}

async function main () {
  await call()
  console.log('first')
  const made = []
  const before = cpu()
  const started = now()
  await Promise.all(Array.from({ length: Number(threads) }, () => times(made)))
  const wall = (now() - started) / 1e6
  const spent = cpu() - before
  made.sort((a, b) => a - b)
  const n = made.length || 1
  const peak = fs.readFileSync('/proc/self/status', 'utf8').match(/VmHWM:\s+(\d+)/)[1]
  console.log(`${made[n >> 1] || 0} ${made[Math.floor(n * 0.99)] || 0} ${spent / n} ${n / wall} ${peak}`)
  process.exit(0)
}

main().catch(error => { console.error(error); process.exit(1) })
