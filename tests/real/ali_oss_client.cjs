// Drives a live channel endpoint with ali-oss, the vendor's SDK for Node.js.
//
//     ali_oss_client.cjs operations       every operation that needs no encoder
//     ali_oss_client.cjs create CHANNEL   creates a channel with fragments of two seconds
//     ali_oss_client.cjs url CHANNEL      prints only a signed publish URL
//     ali_oss_client.cjs live CHANNEL WIDTH HEIGHT RATE
//                                         checks while an encoder publishes
//     ali_oss_client.cjs faults FILE      makes a call with each set of rules in a file,
//                                         and prints the outcomes as JSON: right, wrong
//                                         or endless
//     ali_oss_client.cjs ended CHANNEL    checks after the encoder has disconnected
//     ali_oss_client.cjs disable CHANNEL  disables the channel
//
// Every check prints a line that starts with PASS or FAIL; the exit status is 1 if
// any fails. The endpoint and the credentials come from the environment:
//
//     OSS_ENDPOINT, OSS_BUCKET, OSS_REGION, OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET
//     OSS_SIGNATURE              v1 or v4
//     OSS_STS_ACCESS_KEY_ID, OSS_STS_ACCESS_KEY_SECRET, OSS_STS_TOKEN
//     NODE_PATH                  the folder node_modules that contains ali-oss

'use strict';

const crypto = require('node:crypto');
const { readFileSync } = require('node:fs');
const http = require('node:http');
const { isDeepStrictEqual } = require('node:util');
const OSS = require('ali-oss');

const TIMEOUT = 10_000; // milliseconds, for every request
const DAY = 86400;
const env = process.env;
const ENDPOINT = env.OSS_ENDPOINT;
const BUCKET = env.OSS_BUCKET;
const V4 = (env.OSS_SIGNATURE || 'v4') === 'v4';
const PREFIX = V4 ? 'js-v4-' : 'js-v1-';
const BASE = `${ENDPOINT.split('://')[1]}/${BUCKET}`;

// --- checks -------------------------------------------------------------------

let failures = 0;

/** Prints a line: PASS or FAIL, the name of the check, and on failure the value. */
function check(name, holds, seen) {
  if (holds) {
    console.log(`PASS ${name}`);
  } else {
    failures += 1;
    console.log(`FAIL ${name}: saw ${JSON.stringify(seen)}`);
  }
}

function equal(name, seen, expected) {
  check(name, isDeepStrictEqual(seen, expected), { seen, expected });
}

/** Checks that the call fails with this code, or one of several. */
async function refused(name, code, call, { status, ec } = {}) {
  const codes = [].concat(code);
  const label = `${name} is ${codes.join('/')}`;
  try {
    await call();
    check(label, false, 'success');
  } catch (error) {
    const holds =
      codes.includes(error.code) &&
      (status === undefined || error.status === status) &&
      (ec === undefined || error.ecCode === ec) &&
      /^[0-9A-F]{24}$/.test(error.requestId);
    check(label, holds, {
      status: error.status,
      code: error.code,
      ec: error.ecCode,
      message: error.message,
      requestId: error.requestId
    });
  }
}

/** Runs a group of checks; an exception of the SDK is one FAIL. */
async function section(title, body, ...args) {
  try {
    await body(...args);
  } catch (error) {
    check(`${title} completes`, false, `${error.name}: ${error.message}\n${error.stack}`);
  }
}

// --- clients ------------------------------------------------------------------

console.warn = () => {}; // the SDK recommends refreshing STS tokens automatically

function client(changes = {}) {
  return new OSS({
    endpoint: ENDPOINT,
    region: `oss-${env.OSS_REGION || 'cn-hangzhou'}`,
    bucket: BUCKET,
    accessKeyId: env.OSS_ACCESS_KEY_ID,
    accessKeySecret: env.OSS_ACCESS_KEY_SECRET,
    authorizationV4: V4,
    sldEnable: true,
    timeout: TIMEOUT,
    ...changes
  });
}

function stsClient(changes = {}) {
  return client({
    accessKeyId: env.OSS_STS_ACCESS_KEY_ID,
    accessKeySecret: env.OSS_STS_ACCESS_KEY_SECRET,
    stsToken: env.OSS_STS_TOKEN,
    ...changes
  });
}

/** The SDK cannot sign a URL for an IP address, so it gets the endpoint's name. */
const named = () => client({ endpoint: ENDPOINT.replace('127.0.0.1', 'localhost') });

/** Returns a presigned URL, for the endpoint's name, converted to its address. */
async function signedUrl(key, queries = {}, expires = 60) {
  const oss = named();
  const url = V4
    ? await oss.signatureUrlV4('GET', expires, { queries }, key)
    : oss.signatureUrl(key, { expires, process: queries['x-oss-process'] });
  return url.replace('localhost', '127.0.0.1');
}

async function get(url) {
  const reply = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT) });
  return { status: reply.status, body: Buffer.from(await reply.arrayBuffer()) };
}

function tampered(url) {
  return url.replace(/(ignature=)(.)/, (_, name, first) => name + (first === '0' ? '1' : '0'));
}

const config = ({ Description = '', Status = 'enabled', ...target } = {}) => ({
  Description,
  Status,
  Target: { Type: 'HLS', ...target }
});

const now = () => Math.floor(Date.now() / 1000);
const span = () => ({ startTime: now() - 3600, endTime: now() + 3600 });
const listedNames = result => result.channels.map(channel => channel.Name);

// --- operations that need no encoder --------------------------------------------

async function lifeOfAChannel(oss) {
  const name = `${PREFIX}life`;
  const made = await oss.putChannel(name, config({ Description: 'front door' }));
  equal('put returns 200', made.res.status, 200);
  equal('put returns the publish URL', made.publishUrls, [`rtmp://${BASE}/live/${name}`]);
  equal('put returns the play URL', made.playUrls, [`http://${BASE}/${name}/playlist.m3u8`]);
  check(
    'a response has a request id of 24 digits',
    /^[0-9A-F]{24}$/.test(made.res.headers['x-oss-request-id']),
    made.res.headers
  );
  equal('get returns only the settings, with the defaults', (await oss.getChannel(name)).data, {
    Description: 'front door',
    Status: 'enabled',
    Target: { Type: 'HLS', FragDuration: '5', FragCount: '3', PlaylistName: 'playlist.m3u8' }
  });
  equal('a new channel is Idle', (await oss.getChannelStatus(name)).data, { Status: 'Idle' });
  equal('a new channel has no history', (await oss.getChannelHistory(name)).records, []);

  equal('disabling returns 200', (await oss.putChannelStatus(name, 'disabled')).res.status, 200);
  equal('disabling again succeeds', (await oss.putChannelStatus(name, 'disabled')).res.status, 200);
  equal('a disabled channel is shown as disabled', (await oss.getChannel(name)).data.Status, 'disabled');
  equal('its stat is Disabled', (await oss.getChannelStatus(name)).data, { Status: 'Disabled' });
  equal('also in the list', (await oss.listChannels({ prefix: name })).channels[0].Status, 'disabled');
  await oss.putChannelStatus(name, 'enabled');
  equal('enabled again it is Idle', (await oss.getChannelStatus(name)).data, { Status: 'Idle' });

  const second = config({
    Description: 'second',
    Status: 'disabled',
    FragDuration: 7,
    FragCount: 9,
    PlaylistName: 'tv.m3u8'
  });
  await oss.putChannel(name, second);
  equal('put again replaces the settings', (await oss.getChannel(name)).data, {
    Description: 'second',
    Status: 'disabled',
    Target: { Type: 'HLS', FragDuration: '7', FragCount: '9', PlaylistName: 'tv.m3u8' }
  });

  equal('delete returns 204', (await oss.deleteChannel(name)).res.status, 204);
  equal('delete again returns 204', (await oss.deleteChannel(name)).res.status, 204);
  await refused('get after delete', 'NoSuchLiveChannel', () => oss.getChannel(name), { status: 404 });
}

async function descriptions(oss) {
  const name = `${PREFIX}description`;
  for (const text of ['<b> & "quotes" \' ]]>', '直播频道 📺 é', 'é'.repeat(64), 'x'.repeat(128)]) {
    const label = [...text].slice(0, 20).join('');
    await oss.putChannel(name, config({ Description: text }));
    equal(`description ${label} is returned`, (await oss.getChannel(name)).data.Description, text);
    const { channels } = await oss.listChannels({ prefix: name });
    equal(`description ${label} is listed`, channels[0].Description, text);
  }
  for (const text of ['x'.repeat(129), 'é'.repeat(65)]) {
    await refused(
      `a description of ${Buffer.byteLength(text)} bytes`,
      'InvalidArgument',
      () => oss.putChannel(name, config({ Description: text })),
      { status: 400, ec: '0044-00000001' }
    );
  }
  await oss.deleteChannel(name);
}

async function names(oss) {
  const long = PREFIX + 'n'.repeat(63 - PREFIX.length);
  const odd = ['live channel 2', '直播频道-1', 'a+b %41%2F&c=d;e#f?g', "~!*'()@$,:", 'cam.mp4', 'é'.repeat(20)];
  for (const name of [...odd.map(text => PREFIX + text), long]) {
    const label = `channel ${name}:`;
    const made = await oss.putChannel(name, config({ Description: name }));
    equal(
      `${label} the publish URL names it`,
      decodeURIComponent(new URL(made.publishUrls[0]).pathname),
      `/${BUCKET}/live/${name}`
    );
    equal(`${label} get`, (await oss.getChannel(name)).data.Description, name);
    equal(`${label} stat`, (await oss.getChannelStatus(name)).data.Status, 'Idle');
    equal(`${label} history`, (await oss.getChannelHistory(name)).records, []);
    equal(`${label} status`, (await oss.putChannelStatus(name, 'disabled')).res.status, 200);
    equal(`${label} list`, listedNames(await oss.listChannels({ prefix: name })), [name]);
    equal(`${label} delete`, (await oss.deleteChannel(name)).res.status, 204);
    await refused(`${label} stat after`, 'NoSuchLiveChannel', () => oss.getChannelStatus(name), { status: 404 });
  }
  for (const [label, name] of [
    ['a name of 64 bytes', `${long}n`],
    ['a name with a slash', `${PREFIX}a/b`]
  ]) {
    await refused(label, 'InvalidChannelName', () => oss.putChannel(name, config()), { status: 400 });
  }
  await refused('delete with a name of 65 bytes', 'InvalidChannelName', () => oss.deleteChannel(`${long}nn`), {
    status: 400
  });
}

async function settingsRefused(oss) {
  const name = `${PREFIX}settings`;
  const bad = (label, ec, settings) =>
    refused(label, 'InvalidArgument', () => oss.putChannel(name, config(settings)), { status: 400, ec });

  await bad('status paused', '0044-00000002', { Status: 'paused' });
  await bad('type RTMP', '0044-00000013', { Type: 'RTMP' });
  for (const value of [0, -1, 101, 'five']) {
    await bad(`FragDuration ${value}`, '0044-00000014', { FragDuration: value, FragCount: 3 });
    await bad(`FragCount ${value}`, '0044-00000015', { FragDuration: 5, FragCount: value });
  }
  await bad('a playlist with a slash', '0044-00000016', { PlaylistName: 'a/b.m3u8' });
  await bad('a playlist name of 129 bytes', '0044-00000017', { PlaylistName: `${'p'.repeat(124)}.m3u8` });
  await bad('a playlist without .m3u8', '0044-00000018', { PlaylistName: 'playlist.ts' });
  await refused('a body without a target', ['MalformedXML', 'InvalidArgument'], () => oss.putChannel(name, {}), {
    status: 400
  });
  await refused('get of a channel that does not exist', 'NoSuchLiveChannel', () => oss.getChannel(name), { status: 404 });

  await oss.putChannel(name, config());
  await refused('status paused by query', 'InvalidArgument', () => oss.putChannelStatus(name, 'paused'), {
    status: 400
  });
  equal('a rejected change changes nothing', (await oss.getChannel(name)).data.Status, 'enabled');

  const Snapshot = { RoleName: 'role', DestBucket: BUCKET, NotifyTopic: 'topic', Interval: 5 };
  await oss.putChannel(name, { ...config(), Snapshot });
  check('snapshot settings are accepted', true);
  for (const [label, change, ec] of [
    ['an empty topic', { NotifyTopic: '' }, '0044-00000006'],
    ['an empty role', { RoleName: '' }, '0044-00000007'],
    ['an invalid bucket name', { DestBucket: 'A' }, '0044-00000008'],
    ['an interval of 101 seconds', { Interval: 101 }, undefined]
  ]) {
    await refused(
      `a snapshot with ${label}`,
      'InvalidArgument',
      () => oss.putChannel(name, { ...config(), Snapshot: { ...Snapshot, ...change } }),
      { status: 400, ec }
    );
  }
  await oss.deleteChannel(name);
}

async function missingThings(oss) {
  const name = `${PREFIX}missing`;
  for (const [label, call] of [
    ['get', () => oss.getChannel(name)],
    ['stat', () => oss.getChannelStatus(name)],
    ['history', () => oss.getChannelHistory(name)],
    ['status', () => oss.putChannelStatus(name, 'enabled')]
  ]) {
    await refused(`${label} of a missing channel`, 'NoSuchLiveChannel', call, { status: 404 });
  }
  await refused('a missing object', 'NoSuchKey', () => oss.get(`${name}/playlist.m3u8`), { status: 404 });
  await refused('HEAD of a missing object', 'NoSuchKey', () => oss.head(name), { status: 404 });

  const elsewhere = client({ bucket: `no-such-bucket-${PREFIX}1` });
  for (const [label, call] of [
    ['put', () => elsewhere.putChannel(name, config())],
    ['get', () => elsewhere.getChannel(name)],
    ['list', () => elsewhere.listChannels({})],
    ['history', () => elsewhere.getChannelHistory(name)]
  ]) {
    await refused(`${label} in a missing bucket`, 'NoSuchBucket', call, { status: 404 });
  }
  await refused('an unsupported operation', 'NotImplemented', () => oss.getBucketWebsite(BUCKET));
}

async function vodRefused(oss) {
  const name = `${PREFIX}vod`;
  const { startTime, endTime } = span();
  const bad = (label, channel, playlist, time, ec) =>
    refused(`create vod, ${label}`, 'InvalidArgument', () => oss.createVod(channel, playlist, time), {
      status: 400,
      ec
    });
  await oss.putChannel(name, config());
  await bad('a channel without recordings', name, 'vod.m3u8', { startTime, endTime }, '0044-00000308');
  await bad('no channel', `${name}-none`, 'vod.m3u8', { startTime, endTime }, '0044-00000308');
  const backwards = { startTime: endTime, endTime: startTime };
  await bad('a span that ends before it starts', name, 'vod.m3u8', backwards, '0044-00000306');
  await bad('an empty span', name, 'vod.m3u8', { startTime, endTime: startTime }, '0044-00000308');
  const long = { startTime, endTime: startTime + DAY + 1 };
  await bad('a span of more than a day', name, 'vod.m3u8', long, '0044-00000307');
  await bad('a start time that is not a number', name, 'vod.m3u8', { startTime: 'now', endTime }, '0044-00000304');
  await refused(
    'create vod, a playlist without .m3u8',
    ['InvalidArgument', 'InvalidRequest'],
    () => oss.createVod(name, 'vod.txt', { startTime, endTime }),
    { status: 400 }
  );
  await oss.deleteChannel(name);
}

/** With 250 channels, whose byte order differs from their numeric order. */
async function paging(oss) {
  const family = `${PREFIX}page-`;
  const expected = Array.from({ length: 250 }, (_, n) => `${family}${n}`);
  for (const name of expected) await oss.putChannel(name, config());
  expected.sort();

  const first = await oss.listChannels({ prefix: family });
  equal('the first page has a hundred', first.channels.length, 100);
  equal('the first page is truncated', first.isTruncated, true);
  equal('the next marker is the last name', first.nextMarker, first.channels.at(-1).Name);

  for (const keys of [100, 7]) {
    const walked = [];
    let marker = '';
    for (let page = 0; page < 60; page += 1) {
      const result = await oss.listChannels({ prefix: family, marker, 'max-keys': keys });
      walked.push(...listedNames(result));
      marker = result.nextMarker;
      if (!result.isTruncated) break;
    }
    equal(`pages of ${keys} give every channel once, in byte order`, walked, expected);
    equal(`the last page of ${keys} has no next marker`, marker, null);
  }
  const whole = await oss.listChannels({ prefix: family, 'max-keys': 1000 });
  equal('a thousand at once', listedNames(whole), expected);
  equal('the full list is not truncated', whole.isTruncated, false);
  const listed = whole.channels[0];
  equal('a listed channel has its URLs', [listed.PublishUrls, listed.PlayUrls], [
    [`rtmp://${BASE}/live/${listed.Name}`],
    [`http://${BASE}/${listed.Name}/playlist.m3u8`]
  ]);
  check(
    'and its modification time',
    /\.000Z$/.test(listed.LastModified) && Math.abs(Date.now() - Date.parse(listed.LastModified)) < 600_000,
    listed.LastModified
  );

  const after = async marker =>
    listedNames(await oss.listChannels({ prefix: family, marker, 'max-keys': 1 }));
  equal('a marker is exclusive', await after(expected[9]), [expected[10]]);
  equal('a marker need not exist', await after(`${expected[9]}!`), [expected[10]]);
  equal('nothing after the last', await after(expected.at(-1)), []);
  equal('a longer prefix narrows', listedNames(await oss.listChannels({ prefix: `${family}24` })),
    expected.filter(name => name.startsWith(`${family}24`)));
  equal('a prefix without channels', listedNames(await oss.listChannels({ prefix: `${PREFIX}直播 &` })), []);
  for (const keys of [0, -1, 1001, 'ten']) {
    await refused(`max-keys ${keys}`, 'InvalidArgument', () => oss.listChannels({ 'max-keys': keys }), {
      status: 400
    });
  }
  await refused(
    'a prefix of 1025 bytes',
    'InvalidArgument',
    () => oss.listChannels({ prefix: 'p'.repeat(1025) }),
    { status: 400, ec: '0044-00000102' }
  );
  for (const name of expected) await oss.deleteChannel(name);
  equal('deleted channels are not listed', listedNames(await oss.listChannels({ prefix: family })), []);
}

async function credentials() {
  const list = changes => () => client(changes).listChannels({});
  await refused('a wrong secret', 'SignatureDoesNotMatch', list({ accessKeySecret: 'not-the-secret' }), {
    status: 403
  });
  await refused('an unknown key', 'InvalidAccessKeyId', list({ accessKeyId: 'LTAI5tNobody' }), { status: 403 });
  for (const [label, minutes] of [
    ['ahead', 16],
    ['behind', -16]
  ]) {
    await refused(
      `a clock 16 minutes ${label}`,
      'RequestTimeTooSkewed',
      list({ amendTimeSkewed: minutes * 60_000 }),
      { status: 403, ec: '0002-00000504' }
    );
  }
  equal('a clock ten minutes ahead is tolerated', (await list({ amendTimeSkewed: 600_000 })()).res.status, 200);
  const anonymous = await get(`${ENDPOINT}/${BUCKET}/?live`);
  check(
    'an anonymous list is AccessDenied',
    anonymous.status === 403 && anonymous.body.includes('<Code>AccessDenied</Code>'),
    anonymous.body.toString()
  );

  if (!env.OSS_STS_TOKEN) return;
  const name = `${PREFIX}sts`;
  const sts = stsClient();
  equal('STS: put', (await sts.putChannel(name, config())).res.status, 200);
  equal('STS: stat', (await sts.getChannelStatus(name)).data.Status, 'Idle');
  equal('STS: list', listedNames(await sts.listChannels({ prefix: name })), [name]);
  equal('STS: delete', (await sts.deleteChannel(name)).res.status, 204);
  const wrong = ['InvalidSecurityToken', 'AccessKeyIdAndSecurityTokenNotMatch'];
  const listAs = changes => () => stsClient(changes).listChannels({});
  await refused('STS: a wrong token', wrong, listAs({ stsToken: `${env.OSS_STS_TOKEN}x` }), { status: 403 });
  await refused('STS: no token', [...wrong, 'InvalidAccessKeyId'], listAs({ stsToken: undefined }), { status: 403 });
  await refused('STS: a wrong secret', 'SignatureDoesNotMatch', listAs({ accessKeySecret: 'wrong' }), {
    status: 403
  });
}

async function objects(oss) {
  for (const key of [`${PREFIX}object.txt`, `${PREFIX}片段 1/a b+c&d=é?.ts`]) {
    const body = crypto.randomBytes(70_000);
    const label = `object ${key}:`;
    await oss.put(key, body);
    check(`${label} get`, (await oss.get(key)).content.equals(body));
    const part = await oss.get(key, { headers: { Range: 'bytes=10-99' } });
    check(`${label} a range`, part.content.equals(body.subarray(10, 100)), part.res.status);
    equal(`${label} head`, (await oss.head(key)).res.headers['content-length'], String(body.length));
    equal(`${label} list`, ((await oss.list({ prefix: key })).objects || []).map(o => o.name), [key]);
    equal(`${label} list, second version`, ((await oss.listV2({ prefix: key })).objects || []).map(o => o.name), [key]);
    const url = await signedUrl(key);
    const reply = await get(url);
    check(`${label} a presigned GET`, reply.body.equals(body), reply.status);
    const changed = await get(tampered(url));
    check(
      `${label} one byte of the signature changed`,
      changed.status === 403 && changed.body.includes('SignatureDoesNotMatch'),
      changed.body.toString()
    );
    await oss.delete(key);
    await refused(`${label} gone`, 'NoSuchKey', () => oss.get(key), { status: 404 });
  }
  const keys = Array.from({ length: 5 }, (_, n) => `${PREFIX}batch/${n}`);
  for (const key of keys) await oss.put(key, Buffer.from('x'));
  await oss.deleteMulti(keys);
  equal('batch delete', (await oss.list({ prefix: `${PREFIX}batch/` })).objects || [], []);
}

async function buckets(oss) {
  const name = `js-temporary-${PREFIX}1`;
  const byName = named();
  const all = async () => (await byName.listBuckets()).buckets.map(bucket => bucket.name);
  check('the bucket is listed', (await all()).includes(BUCKET));
  equal("the bucket's info", (await oss.getBucketInfo(BUCKET)).bucket.Name, BUCKET);
  equal('a bucket is created', (await oss.putBucket(name)).res.status, 200);
  check('and listed', (await all()).includes(name));
  const other = client({ bucket: name });
  await other.putChannel('inside', config());
  equal('a channel belongs to its bucket', listedNames(await other.listChannels({})), ['inside']);
  await refused('the channel in the first bucket', 'NoSuchLiveChannel', () => oss.getChannel('inside'));
  await refused('deleting a bucket with a channel', 'BucketNotEmpty', () => oss.deleteBucket(name), { status: 409 });
  await other.deleteChannel('inside');
  equal('deleting an empty bucket', (await oss.deleteBucket(name)).res.status, 204);
  await refused('the bucket afterwards', 'NoSuchBucket', () => oss.getBucketInfo(name), { status: 404 });
}

async function cors(oss) {
  const none = () => oss.getBucketCORS(BUCKET);
  await refused('CORS rules before any were put', 'NoSuchCORSConfiguration', none, { status: 404 });
  const rules = [
    { allowedOrigin: 'http://first.example', allowedMethod: 'GET' },
    {
      allowedOrigin: ['http://*.example', 'https://second.example:8443'],
      allowedMethod: ['GET', 'PUT'],
      allowedHeader: ['x-oss-*', 'Range'],
      exposeHeader: ['ETag', 'x-oss-request-id'],
      maxAgeSeconds: '60'
    }
  ];
  equal('putting rules', (await oss.putBucketCORS(BUCKET, rules)).res.status, 200);
  equal('the returned rules', (await oss.getBucketCORS(BUCKET)).rules, rules);
  const bad = [{ allowedOrigin: '*', allowedMethod: 'TEST' }];
  const put = rules => () => oss.putBucketCORS(BUCKET, rules);
  await refused('an invalid method', 'InvalidArgument', put(bad), { status: 400, ec: '0034-00000011' });
  await refused('21 rules', 'CORSRuleBeyondLimit', put(Array(21).fill(rules[0])), { status: 400 });
  equal('rejected rules change nothing', (await oss.getBucketCORS(BUCKET)).rules, rules);
  equal('deleting them', (await oss.deleteBucketCORS(BUCKET)).res.status, 204);
  await refused('CORS rules afterwards', 'NoSuchCORSConfiguration', none, { status: 404 });
}

/** Other operations that programs perform on a bucket with channels. */
async function aroundChannels(oss) {
  const acl = async () => (await oss.getBucketACL(BUCKET)).acl;
  equal('the ACL of a bucket', await acl(), 'private');
  await oss.putBucketACL(BUCKET, 'public-read');
  equal('the ACL that was set', await acl(), 'public-read');
  await oss.putBucketACL(BUCKET, 'private');
  const region = `oss-${env.OSS_REGION || 'cn-hangzhou'}`;
  equal('the location', (await oss.getBucketLocation(BUCKET)).location, region);
  await oss.putChannel(`${PREFIX}counted`, config());
  const { stat } = await oss.getBucketStat(BUCKET);
  check('the channels are counted', Number(stat.LiveChannelCount) >= 1, stat);
  await oss.deleteChannel(`${PREFIX}counted`);

  const key = `${PREFIX}kept.bin`;
  const kept = { meta: { camera: 'front' }, headers: { 'Cache-Control': 'no-cache' } };
  await oss.put(key, Buffer.from('123456789'), kept);
  const { meta, res } = await oss.head(key);
  equal('an object keeps its metadata', [meta, res.headers['cache-control']], [{ camera: 'front' }, 'no-cache']);
  await oss.copy(`${key}+ copy`, key);
  equal('a copy keeps it too', (await oss.head(`${key}+ copy`)).meta, { camera: 'front' });
  await oss.copy(`${key}+ copy`, key, { meta: { camera: 'back' } });
  equal('or has its own', (await oss.head(`${key}+ copy`)).meta, { camera: 'back' });
  equal('the ACL of an object', (await oss.getACL(key)).acl, 'default');
  await refused("an object's own ACL", 'NotImplemented', () => oss.putACL(key, 'private'), { status: 501 });
  await refused(
    'an upload to another storage class',
    'NotImplemented',
    () => oss.put(key, Buffer.from('x'), { headers: { 'x-oss-storage-class': 'IA' } }),
    { status: 501 }
  );
  const stranger = client({ accessKeySecret: 'not-the-secret' });
  await refused('a large upload with a wrong key', 'SignatureDoesNotMatch', () =>
    stranger.put(key, Buffer.alloc(4 << 20))
  );
  await oss.deleteMulti([key, `${key}+ copy`]);
  equal('deleting many leaves none', (await oss.list({ prefix: key })).objects || [], []);

  const ambiguous = `${PREFIX}a?live&status=disabled`;
  if (V4) {
    equal('a name that looks like an operation', (await oss.put(ambiguous, Buffer.from('x'))).res.status, 200);
    await oss.delete(ambiguous);
  } else {
    await refused('a name that looks like an operation', 'InvalidArgument', () => oss.put(ambiguous, Buffer.from('x')));
  }
}

/** Edge cases of objects and buckets, from the vendor's test suites. */
async function edges(oss) {
  const key = `${PREFIX}edges.bin`;
  const put = await oss.put(key, Buffer.from('123456789'));
  equal('an upload has its CRC', put.res.headers['x-oss-hash-crc64ecma'], '11051210869376104954');
  const got = await oss.get(key);
  equal('a download has it too', got.res.headers['x-oss-hash-crc64ecma'], '11051210869376104954');
  const last = await oss.get(key, { headers: { Range: 'bytes=-3' } });
  equal('the last bytes', [last.res.status, last.content.toString()], [206, '789']);
  const beyond = await oss.get(key, { headers: { Range: 'bytes=99-' } });
  equal('a range past the end is ignored', [beyond.res.status, beyond.content.toString()], [200, '123456789']);
  await refused('an empty range', 'InvalidRange', () => oss.get(key, { headers: { Range: 'bytes=-0' } }), { status: 416 });
  const odd = `${PREFIX}\n\t&<>'" `;
  await oss.put(odd, Buffer.from('x'));
  await oss.deleteMulti([key, odd]);
  equal('keys with control characters are deleted too', (await oss.list({ prefix: PREFIX + '\n' })).objects || [], []);
  const { bucket } = await oss.getBucketInfo(BUCKET);
  equal('no encryption by the server', bucket.ServerSideEncryptionRule?.SSEAlgorithm, 'None');
  const none = client({ bucket: 'js-no-such-bucket' });
  await refused('an object of a bucket that does not exist', 'NoSuchBucket', () => none.get(key), { status: 404 });
  await refused(
    'a marker of 1025 bytes',
    'InvalidArgument',
    () => oss.listChannels({ marker: 'x'.repeat(1025) }),
    { status: 400, ec: '0044-00000103' }
  );
  if (V4) {
    const elsewhere = client({ region: 'oss-cn-elsewhere' });
    await refused('a signature for another region', 'InvalidArgument', () => elsewhere.listChannels({}), {
      status: 400,
      ec: '0002-00000226'
    });
  }
}

/**
 * With an IP address as the endpoint, this SDK always sends the Host of the public
 * service. With `sldEnable` off (the default), the path has no bucket.
 */
async function otherWaysToAddress(oss) {
  for (const [label, other] of [
    ['by name', named()],
    ['by address without sldEnable', client({ sldEnable: false })]
  ]) {
    const name = `${PREFIX}addressed`;
    equal(`${label}: put`, (await other.putChannel(name, config())).res.status, 200);
    equal(`${label}: it is the same channel`, (await oss.getChannelStatus(name)).data.Status, 'Idle');
    equal(`${label}: list`, listedNames(await other.listChannels({ prefix: name })), [name]);
    equal(`${label}: delete`, (await other.deleteChannel(name)).res.status, 204);
  }
}

async function operations() {
  const oss = client();
  await section('the life of a channel', lifeOfAChannel, oss);
  await section('descriptions', descriptions, oss);
  await section('names', names, oss);
  await section('settings that are rejected', settingsRefused, oss);
  await section('missing things', missingThings, oss);
  await section('vod that is rejected', vodRefused, oss);
  await section('paging', paging, oss);
  await section('credentials', credentials);
  await section('objects', objects, oss);
  await section('buckets', buckets, oss);
  await section('CORS', cors, oss);
  await section('other operations on buckets with channels', aroundChannels, oss);
  await section('edge cases of objects and buckets', edges, oss);
  await section('other ways to address the endpoint', otherWaysToAddress, oss);
}

// --- with an encoder ------------------------------------------------------------

async function create(channel) {
  const made = await client().putChannel(channel, config({ FragDuration: 2, FragCount: 3 }));
  equal('the channel is created', made.res.status, 200);
}

/** Gets a status with each set of rules of the local endpoint. */
async function faults(path) {
  const outcomes = {};
  for (const { name, rules } of JSON.parse(readFileSync(path, 'utf8'))) outcomes[name] = await outcome(rules);
  console.log(JSON.stringify(outcomes));
}

async function outcome(rules) {
  const control = `${ENDPOINT}/_osslive/control/faults`;
  const headers = { 'x-osslive-control': '1' };
  for (const rule of rules) {
    const answer = await fetch(control, { method: 'POST', headers, body: JSON.stringify(rule) });
    if (answer.status !== 201) throw new Error(await answer.text());
  }
  // A connection closed by an earlier fault would never reach the endpoint.
  const call = client({ timeout: 1000, agent: new http.Agent() })
    .getChannelStatus('c')
    .then(({ data }) => (data.Status === 'Live' ? 'right' : 'wrong'))
    .catch(() => 'wrong');
  const late = new Promise((resolve) => setTimeout(resolve, 3000, 'endless').unref());
  const seen = await Promise.race([call, late]);
  const { faults: ordered } = await (await fetch(control, { headers })).json();
  if (ordered[0].hits === 0) throw new Error(`no rule was applied: ${JSON.stringify(rules).slice(0, 200)}`);
  await fetch(control, { method: 'DELETE', headers });
  return seen;
}

async function url(channel) {
  console.log(client().getRtmpUrl(channel, { expires: 600, params: { playlistName: 'playlist.m3u8' } }));
}

/** Retries until the result is true or the time is up. */
async function until(seconds, condition) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await condition();
    if (answer || Date.now() > end) return answer;
    await new Promise(done => setTimeout(done, 100));
  }
}

const statOf = async channel => (await client().getChannelStatus(channel)).data;

async function live(channel, width, height, rate) {
  const oss = client();
  const stat = await until(15, async () => {
    const seen = await statOf(channel);
    return seen.Status === 'Live' && seen.Video && seen.Audio && Number(seen.Video.Bandwidth) > 0 ? seen : null;
  });
  check('the channel is Live with video and audio', stat, await statOf(channel));
  if (!stat) return;
  equal("the video's size", [stat.Video.Width, stat.Video.Height], [width, height]);
  check('the frame rate', Math.abs(Number(stat.Video.FrameRate) - Number(rate)) <= 1, stat.Video);
  equal('the codecs', [stat.Video.Codec, stat.Audio.Codec], ['H264', 'AAC']);
  check('the sample rate', ['44100', '48000'].includes(stat.Audio.SampleRate), stat.Audio);
  check("the encoder's address", /^127\.0\.0\.1:\d+$/.test(stat.RemoteAddr), stat.RemoteAddr);
  check('the time of its connection', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z$/.test(stat.ConnectedTime), stat.ConnectedTime);
  equal('no session has ended yet', (await oss.getChannelHistory(channel)).records, []);
  for (const [label, call] of [
    ['put', () => oss.putChannel(channel, config())],
    ['delete', () => oss.deleteChannel(channel)],
    ['enable', () => oss.putChannelStatus(channel, 'enabled')]
  ]) {
    await refused(`${label} while live`, 'ChannelStillLive', call, { status: 409 });
  }
  equal('still Live', (await statOf(channel)).Status, 'Live');
}

async function disable(channel) {
  const { res } = await client().putChannelStatus(channel, 'disabled');
  equal('disabling a live channel returns 200', res.status, 200);
  check('the channel becomes Disabled', await until(15, async () => (await statOf(channel)).Status === 'Disabled'));
}

async function ended(channel) {
  const oss = client();
  check('the channel is no longer Live', await until(15, async () => (await statOf(channel)).Status !== 'Live'));
  const { records } = await oss.getChannelHistory(channel);
  equal('the history has the session', records.length, 1);
  const [record] = records;
  check('it ended after it started', record.StartTime < record.EndTime, record);
  check("it has the encoder's address", /^127\.0\.0\.1:\d+$/.test(record.RemoteAddr), record);

  equal('create vod', (await oss.createVod(channel, 'vod 1.m3u8', span())).res.status, 200);
  const key = `${channel}/vod 1.m3u8`;
  const text = (await oss.get(key)).content.toString();
  check('the playlist is complete', text.startsWith('#EXTM3U') && text.trimEnd().endsWith('#EXT-X-ENDLIST'), text);
  const entries = playlist => playlist.split('\n').filter(line => line && !line.startsWith('#'));
  const fragments = entries(text);
  check(
    'fragments are named by their start in milliseconds',
    fragments.length > 0 && fragments.every(name => /^\d{13}\.ts$/.test(name)),
    fragments
  );
  for (const name of fragments) {
    const { content } = await oss.get(`${channel}/${name}`);
    let sync = content.length > 0 && content.length % 188 === 0;
    for (let at = 0; at < content.length; at += 188) sync = sync && content[at] === 0x47;
    check(`fragment ${name} is a transport stream`, sync, content.length);
  }
  const objectsThere = ((await oss.list({ prefix: `${channel}/` })).objects || []).map(object => object.name);
  check(
    'the fragments are listed as objects',
    [...fragments, 'vod 1.m3u8', 'playlist.m3u8'].every(name => objectsThere.includes(`${channel}/${name}`)),
    objectsThere
  );
  const window = (await oss.get(`${channel}/playlist.m3u8`)).content.toString();
  equal('the live playlist holds the newest fragments', entries(window), fragments.slice(-3));

  const first = await get(await signedUrl(`${channel}/${fragments[0]}`));
  check('a fragment by presigned URL', first.status === 200 && first.body[0] === 0x47, first.status);
  const signed = (await get(await signedUrl(key, { 'x-oss-process': 'hls/sign' }))).body.toString();
  equal('hls/sign signs every fragment', entries(signed).length, fragments.length);
  const folder = `${ENDPOINT}/${BUCKET}/${encodeURIComponent(channel)}/`;
  for (const address of entries(signed)) {
    const reply = await get(new URL(address, folder).href);
    check('a fragment by a URL of hls/sign', reply.status === 200 && reply.body[0] === 0x47, [address, reply.status]);
  }
  equal('deleting the channel', (await oss.deleteChannel(channel)).res.status, 204);
  equal('its recordings remain', (await oss.head(`${channel}/${fragments[0]}`)).status, 200);
}

// --------------------------------------------------------------------------------

const commands = { operations, create, url, faults, live, disable, ended };
const [command = 'operations', ...args] = process.argv.slice(2);

if (!(command in commands)) {
  console.error(`unknown command ${command}: must be one of ${Object.keys(commands).join(', ')}`);
  process.exit(2);
}
section(command, commands[command], ...args).then(() => {
  if (failures > 0) console.error(`${failures} checks failed`);
  process.exitCode = failures > 0 ? 1 : 0;
});
