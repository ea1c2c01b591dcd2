"""Node's own fetch, undici and axios."""

from tests.clients.client import Astray, Client

UNDICI = Client(
    name="undici",
    language="javascript",
    example="""import { EnvHttpProxyAgent, fetch } from "undici";

const answer = await fetch("https://crm.corp.example/customers/1", { dispatcher: new EnvHttpProxyAgent() });
const text = await answer.text();
if (!answer.ok) throw new Error(text);
console.log(JSON.parse(text).email);
""",
    needs="`EnvHttpProxyAgent`",
    programs=("node",),
    packages=True,
    note="""`setGlobalDispatcher(new EnvHttpProxyAgent())` does it once for every `fetch` of the package.""",
)
AXIOS = Client(
    name="axios",
    language="javascript",
    example="""import axios from "axios";

const answer = await axios.get("https://crm.corp.example/customers/1", { validateStatus: () => true });
if (answer.status !== 200) throw new Error(JSON.stringify(answer.data));
console.log(answer.data.email);
""",
    programs=("node",),
    packages=True,
    note="An error that nobody catches is printed with the proxy's address, and so with the token: catch it, or use the agent proxy.",
)
FETCH = Astray(
    name="`fetch` of Node 20",
    language="javascript",
    program='await fetch("ADDRESS");\n',
    does="goes directly",
    why="Node reads the variables for proxies from 22.21 and 24.5 on, by `NODE_USE_ENV_PROXY=1`, which the environment holds",
    instead="a newer Node, or undici's `EnvHttpProxyAgent`",
    programs=("node",),
    follows="node --eval 'process.exit(process.allowedNodeEnvironmentFlags.has(`--use-env-proxy`) ? 0 : 1)'",
)
