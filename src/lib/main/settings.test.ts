import assert from "node:assert/strict";
import test from "node:test";
import { checkSettings, DEFAULT_SETTINGS, grpcAddressOf, readSettings } from "./settings.ts";

test("without variables the settings are the defaults, with local targets on loopback", () => {
  assert.deepEqual(readSettings({}), { ...DEFAULT_SETTINGS, allowLocalTargets: true, resultsDir: "results" });
  const empty = {
    HOST: "",
    PORT: "",
    GRPC_PORT: "",
    LOG: "",
    DURABILITY: "",
    DATA_DIR: "",
    READ_ONLY: "",
    ALLOW_LOCAL_TARGETS: "",
    PUBLIC_URL: "",
    API_KEYS_FILE: "",
  };
  assert.deepEqual(readSettings(empty), readSettings({}), "set to nothing is not set");
});

test("each variable is read", () => {
  const settings = readSettings({
    HOST: "0.0.0.0",
    PORT: "8080",
    GRPC_PORT: "off",
    PUBLIC_URL: "https://agents.example.com/",
    GRPC_PUBLIC_ADDRESS: "grpc.example.com:443",
    LOG: "memory",
    DURABILITY: "host",
    DATA_DIR: "/data",
    READ_ONLY: "true",
    ALLOWED_HOSTS: "a.example, b.example,",
    ALLOWED_ORIGINS: "https://a.example",
    ALLOW_ANONYMOUS: "1",
    ALLOW_LOCAL_TARGETS: "0",
    CARD_KEY_FILE: "key.json",
    CAMPAIGNS_DIR: "campaigns",
    RESULTS_DIR: "out",
    UPLOAD_TYPES: "image/*, application/pdf",
    API_KEYS_FILE: "keys.json",
    LIMITS: '{"maxParallelTurns":3,"retainTasks":"Infinity"}',
  });
  assert.deepEqual(settings, {
    host: "0.0.0.0",
    port: 8080,
    grpcPort: false,
    publicUrl: "https://agents.example.com",
    grpcPublicAddress: "grpc.example.com:443",
    log: "memory",
    durability: "host",
    dataDir: "/data",
    readOnly: true,
    allowedHosts: ["a.example", "b.example"],
    allowedOrigins: ["https://a.example"],
    allowAnonymous: true,
    allowLocalTargets: false,
    cardKeyFile: "key.json",
    campaignsDir: "campaigns",
    resultsDir: "out",
    uploadTypes: ["image/*", "application/pdf"],
    auth: { kind: "api-keys", file: "keys.json" },
    limits: { maxParallelTurns: 3, retainTasks: Number.POSITIVE_INFINITY },
  });
  assert.equal(readSettings({ PORT: "0" }).port, 0);
  assert.equal(readSettings({ GRPC_PORT: "0" }).grpcPort, 0);
  assert.equal(readSettings({ HOST: "0.0.0.0" }).allowLocalTargets, false);
});

test("a wrong variable is named with what is right, all of them at once", () => {
  assert.throws(() => readSettings({ PORT: "abc", LOG: "redis" }), {
    code: "configuration",
    message: /PORT must be a port number; LOG must be sqlite or memory/,
  });
  assert.throws(() => readSettings({ PORT: "abc", LOG: "redis" }, new Map([["PORT", "--port"]])), {
    message: "--port must be a port number; LOG must be sqlite or memory",
  });
  for (const [env, says] of [
    [{ PORT: "70000" }, /PORT must be 0 to 65535/],
    [{ PORT: "1.5" }, /PORT must be a whole number, 0 to 65535/],
    [{ GRPC_PORT: "no" }, /^GRPC_PORT must be a port number, 0 to 65535, or off$/],
    [{ GRPC_PORT: "70000" }, /^GRPC_PORT must be 0 to 65535$/],
    [{ DURABILITY: "disk" }, /DURABILITY must be process or host/],
    [{ READ_ONLY: "yes" }, /READ_ONLY must be 1 or 0/],
    [{ PUBLIC_URL: "agents.example.com" }, /PUBLIC_URL must be an http or https URL/],
    [{ PUBLIC_URL: "http://" }, /PUBLIC_URL must be an http or https URL/],
    [{ PUBLIC_URL: "https://a.example?x" }, /PUBLIC_URL must be an http or https URL/],
    [{ PUBLIC_URL: "https://u:p@a.example" }, /PUBLIC_URL must be an http or https URL/],
    [{ GRPC_PUBLIC_ADDRESS: "https://grpc.example.com" }, /GRPC_PUBLIC_ADDRESS must be host:port/],
    [{ GRPC_PUBLIC_ADDRESS: "grpc.example.com" }, /GRPC_PUBLIC_ADDRESS must be host:port/],
    [{ GRPC_PUBLIC_ADDRESS: "a:70000" }, /GRPC_PUBLIC_ADDRESS must be host:port/],
    [{ API_KEYS_FILE: "a", JWT_JWKS: "b" }, /not both/],
    [{ JWT_JWKS: "b" }, /JWT_JWKS needs JWT_ISSUER and JWT_AUDIENCE/],
    [{ LIMITS: "{" }, /LIMITS is not JSON/],
    [{ LIMITS: '{"maxParallelTurns":-1}' }, /positive numbers/],
    [{ LIMITS: '{"maxParalelTurns":1}' }, /There is no limit maxParalelTurns; there are /],
  ] as const)
    assert.throws(() => readSettings(env), { code: "configuration", message: says });
  assert.throws(() => readSettings({ LIMITS: '{"toString":1}' }), /There is no limit toString/);
});

test("what would be unsafe or contradictory is refused with the way out", () => {
  const check = (env: Record<string, string>): void => checkSettings(readSettings(env));
  assert.throws(() => check({ HOST: "0.0.0.0" }), /HOST=0\.0\.0\.0 would let anybody use the agents\. Set API_KEYS_FILE or JWT_JWKS, or ALLOW_ANONYMOUS=1/);
  assert.throws(() => check({ HOST: "::" }), /would let anybody/);
  check({ HOST: "0.0.0.0", ALLOW_ANONYMOUS: "1" });
  check({ HOST: "0.0.0.0", API_KEYS_FILE: "keys.json" });
  check({ HOST: "127.0.0.5" });
  assert.throws(
    () => check({ HOST: "0.0.0.0", ALLOW_ANONYMOUS: "1", ALLOW_LOCAL_TARGETS: "1" }),
    /ALLOW_LOCAL_TARGETS=1 is for servers that listen on loopback only/,
  );
  for (const host of ["https://a.example", "a.example:8080", "a.example/x", "[::1]"])
    assert.throws(
      () => check({ ALLOWED_HOSTS: `b.example,${host}` }),
      /ALLOWED_HOSTS has ".*"; right are names or addresses without scheme, port and path/,
      host,
    );
  check({ ALLOWED_HOSTS: "A.example,10.0.0.1,2001:db8::1,*" });
  for (const origin of ["app.example", "https://app.example/", "https://app.example/x", "https://App.example", "https://app.example:443", "null"])
    assert.throws(() => check({ ALLOWED_ORIGINS: `https://a.example,${origin}` }), /ALLOWED_ORIGINS has ".*"; right are origins as browsers send them/, origin);
  check({ ALLOWED_ORIGINS: "https://app.example,http://[::1]:3000,chrome-extension://abcdef,*" });
  for (const type of ["png", "image", "image/png; q=1", "Image/PNG", "*/png", "image/*x"])
    assert.throws(() => check({ UPLOAD_TYPES: `text/*,${type}` }), /UPLOAD_TYPES has ".*"; right are media types in lower case/, type);
  assert.throws(() => checkSettings({ ...DEFAULT_SETTINGS, uploadTypes: [] }), /UPLOAD_TYPES has no type/);
  check({ UPLOAD_TYPES: "*/*,image/svg+xml,application/vnd.ms-excel,video/*" });
  assert.throws(() => checkSettings({ ...DEFAULT_SETTINGS, publicUrl: "agents.example.com" }), /PUBLIC_URL must be an http or https URL/);
  assert.throws(
    () => check({ LIMITS: '{"maxFrameBytes":10,"maxEntryBytes":4095,"maxReaders":1}' }),
    /nothing works: maxFrameBytes must be 4096 or more; maxEntryBytes must be 4096 or more\.$/,
  );
  check({ LIMITS: '{"maxFrameBytes":4096,"maxTurnMs":"Infinity"}' });
  assert.throws(() => check({ READ_ONLY: "1", LOG: "memory" }), /LOG=memory has none/);
});

test("cards say where gRPC is reached from outside", () => {
  const at = (env: Record<string, string>): string => grpcAddressOf(readSettings(env), 4001);
  assert.equal(at({}), "127.0.0.1:4001");
  assert.equal(at({ HOST: "0.0.0.0" }), "127.0.0.1:4001");
  assert.equal(at({ HOST: "::1" }), "[::1]:4001");
  assert.equal(at({ HOST: "0.0.0.0", PUBLIC_URL: "https://agents.example.com:8443/x" }), "agents.example.com:4001");
  assert.equal(at({ PUBLIC_URL: "http://[2001:db8::1]" }), "[2001:db8::1]:4001");
  assert.equal(at({ PUBLIC_URL: "https://agents.example.com", GRPC_PUBLIC_ADDRESS: "[2001:db8::1]:443" }), "[2001:db8::1]:443");
});
