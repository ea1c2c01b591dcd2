"""Keys of services that begin in a way of their own, as their vendors publish it."""

from masking.secrets import checks
from masking.secrets.forms import EDGE, SecretPattern, prefixed

_HEX = "[0-9a-f]"
_UUID = rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"

AI = (
    prefixed("ANTHROPIC_KEY", "sk-ant-...", r"sk-ant-[a-z0-9]{3,12}-[A-Za-z0-9_-]{20,}+", "sk-ant-", end=""),
    prefixed(
        "OPENAI_KEY",
        "sk-proj-..., sk-svcacct-..., sk-admin-...",
        r"sk-(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{20,}+",
        "sk-(?:proj|svcacct|admin|None)-",
        end="",
    ),
    prefixed("OPENAI_KEY", "sk- and 48", r"sk-[A-Za-z0-9]{48}", "sk-[A-Za-z0-9]{20}", accepts=checks.random),
    prefixed("AI_KEY", "Hugging Face: hf_ and 34", r"hf_[A-Za-z]{34}", "hf_[A-Za-z]{8}", end=EDGE),
    prefixed("AI_KEY", "Hugging Face: api_org_ and 34", r"api_org_[A-Za-z]{34}", "api_org_"),
    prefixed("AI_KEY", "Replicate: r8_ and 37", r"r8_[A-Za-z0-9]{37}", "r8_[A-Za-z0-9]{8}"),
    prefixed("AI_KEY", "Groq: gsk_ and 52", r"gsk_[A-Za-z0-9]{52}", "gsk_", end=EDGE),
    prefixed("AI_KEY", "Perplexity: pplx- and 48", r"pplx-[A-Za-z0-9]{48,56}", "pplx-"),
    prefixed("AI_KEY", "xAI: xai- and 80", r"xai-[A-Za-z0-9]{80}", "xai-"),
    prefixed("AI_KEY", "OpenRouter: sk-or-v1- and 64", rf"sk-or-v1-{_HEX}{{64}}", "sk-or-v1-"),
    prefixed("AI_KEY", "LangSmith: lsv2_pt_...", rf"lsv2_(?:pt|sk)_{_HEX}{{32}}_{_HEX}{{10}}", "lsv2_"),
)
CODE = (
    prefixed(
        "GITHUB_TOKEN", "ghp_, gho_, ghu_, ghs_, ghr_ and 36", r"gh[pousr]_[A-Za-z0-9]{36,}+", "gh[pousr]_", end=""
    ),
    prefixed(
        "GITHUB_TOKEN", "github_pat_ and 82", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}", "github_pat_", end=EDGE
    ),
    prefixed(
        "GITLAB_TOKEN",
        "glpat-, glptt-, gldt-, glrt-, glcbt-, glft-, glsoat-, glagent-, glimt-, gloas- and 20",
        r"gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{20,}+",
        "gl[a-z]{2,5}-",
        end="",
    ),
    prefixed("PACKAGE_TOKEN", "npm: npm_ and 36", r"npm_[A-Za-z0-9]{36}", "npm_[A-Za-z0-9]{8}", end=EDGE),
    prefixed("PACKAGE_TOKEN", "PyPI: pypi-AgE...", r"pypi-AgE[A-Za-z0-9_-]{50,}+", "pypi-AgE", end=""),
    prefixed("PACKAGE_TOKEN", "RubyGems: rubygems_ and 48", rf"rubygems_{_HEX}{{48}}", "rubygems_"),
    prefixed("PACKAGE_TOKEN", "NuGet: oy2 and 43", r"oy2[a-p][0-9a-z]{42}", "oy2[a-p]", accepts=checks.random),
    prefixed("PACKAGE_TOKEN", "Docker Hub: dckr_pat_ and 27", r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{27,32}", "dckr_[po]at_"),
)
CHAT = (
    prefixed("SLACK_TOKEN", "xoxb-, xoxp-, ...", r"xox[a-z]-[0-9A-Za-z-]{10,}+", "xox[a-z]-", end=""),
    prefixed("SLACK_TOKEN", "xapp-", r"xapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-f0-9]{16,}+", "xapp-", end=""),
    SecretPattern(
        entity="SLACK_TOKEN",
        form="the path of an incoming webhook, https://hooks.slack.com/services/...",
        regex=r"hooks\.slack\.com/(?:services|workflows|triggers)/\K[A-Za-z0-9/]{20,}+",
        screen="hooks[.]slack",
    ),
    prefixed("MESSAGING_KEY", "Twilio API key: SK and 32", rf"SK{_HEX}{{32}}", f"SK{_HEX}{{8}}"),
    prefixed(
        "MESSAGING_KEY", "SendGrid: SG.22.43", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", "SG[.][A-Za-z0-9_-]{8}"
    ),
    prefixed("MESSAGING_KEY", "Mailgun: key- and 32", rf"key-{_HEX}{{32}}", f"key-{_HEX}{{8}}"),
    prefixed(
        "MESSAGING_KEY",
        "Mailgun: 32-8-8",
        rf"{_HEX}{{32}}-{_HEX}{{8}}-{_HEX}{{8}}",
        f"{_HEX}{{16}}-{_HEX}{{8}}-{_HEX}{{8}}",
    ),
    prefixed("MESSAGING_KEY", "Mailchimp: 32-us1", rf"{_HEX}{{32}}-us[0-9]{{1,2}}", f"{_HEX}{{16}}-us[0-9]"),
    prefixed("MESSAGING_KEY", "Brevo: xkeysib-", rf"xkeysib-{_HEX}{{64}}-[A-Za-z0-9]{{16}}", "xkeysib-"),
    prefixed(
        "MESSAGING_KEY",
        "Telegram bot: number:AA and 33",
        r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
        "[0-9]:AA[A-Za-z0-9_-]{8}",
    ),
    prefixed(
        "MESSAGING_KEY",
        "Discord bot: three parts, the first a number in base64",
        r"[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}",
        r"[.][A-Za-z0-9_-]{6}[.][A-Za-z0-9_-]{27}",
        accepts=checks.snowflake,
    ),
    SecretPattern(
        entity="WEBHOOK_URL",
        form="Discord: the token of https://discord.com/api/webhooks/...",
        regex=r"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]{16,20}/\K[A-Za-z0-9_-]{60,80}",
        screen="discord(?:app)?[.]com/api/",
    ),
    SecretPattern(
        entity="WEBHOOK_URL",
        form="Microsoft Teams: the ids of https://....webhook.office.com/webhookb2/...",
        regex=rf"webhook\.office\.com/webhookb2/{_UUID}@{_UUID}/IncomingWebhook/\K{_HEX}{{32}}/{_UUID}(?:/[A-Za-z0-9_-]{{10,64}})?",
        screen="webhook[.]office[.]com",
    ),
)
MONEY = (
    prefixed(
        "STRIPE_KEY",
        "sk_live_, rk_live_, sk_test_, rk_test_",
        r"(?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}+",
        "[sr]k_(?:live|test)_",
        end="",
    ),
    prefixed("STRIPE_KEY", "whsec_", r"whsec_[A-Za-z0-9+/]{24,}+={0,2}", "whsec_", end=""),
    prefixed(
        "PAYMENT_KEY", "Square: EAAA and 60", r"EAAA[A-Za-z0-9_-]{60}", "EAAA[A-Za-z0-9_-]{16}", accepts=checks.mixed
    ),
    prefixed(
        "PAYMENT_KEY",
        "Square: sq0atp-, sq0csp-",
        r"sq0(?:atp-[A-Za-z0-9_-]{22}|csp-[A-Za-z0-9_-]{43})",
        "sq0(?:atp|csp)-",
    ),
    SecretPattern(
        entity="PAYMENT_KEY",
        form="Braintree: access_token$production$...",
        regex=rf"access_token\$(?:production|sandbox)\$[0-9a-z]{{16}}\${_HEX}{{32}}",
        screen="access_token[$]",
    ),
    prefixed(
        "PAYMENT_KEY",
        "Plaid: access-production- and a UUID",
        rf"access-(?:sandbox|development|production)-{_UUID}",
        "access-(?:sandbox|development|production)-",
    ),
    prefixed(
        "PAYMENT_KEY",
        "Shopify: shpat_, shpca_, shppa_, shpss_ and 32",
        r"shp(?:at|ca|pa|ss|ua|tka)_[0-9a-fA-F]{32}",
        "shp[a-z]{2,3}_[0-9a-fA-F]{8}",
    ),
)
WORK = (
    prefixed("API_KEY", "Atlassian: ATATT3, ATCTT3, ATSTT3", r"AT[ACS]TT3[A-Za-z0-9_=-]{40,400}", "AT[ACS]TT3"),
    prefixed("API_KEY", "Bitbucket: ATBB and 32", r"ATBB[A-Za-z0-9]{32}", "ATBB[A-Za-z0-9]{8}", accepts=checks.mixed),
    prefixed("API_KEY", "Linear: lin_api_ and 40", r"lin_api_[A-Za-z0-9]{40}", "lin_api_"),
    prefixed("API_KEY", "Linear: lin_oauth_ and 64", rf"lin_oauth_{_HEX}{{64}}", "lin_oauth_"),
    prefixed("API_KEY", "Notion: ntn_ and 46", r"ntn_[0-9]{11}[A-Za-z0-9]{35}", "ntn_[0-9]{4}"),
    prefixed(
        "API_KEY", "Notion: secret_ and 43", r"secret_[A-Za-z0-9]{43}", "secret_[A-Za-z0-9]{16}", accepts=checks.mixed
    ),
    prefixed(
        "API_KEY", "Figma: figd_, figo_, figu_ and 40", r"fig[dou]_[A-Za-z0-9_-]{40,44}", "fig[dou]_[A-Za-z0-9_-]{8}"
    ),
    prefixed("API_KEY", "Postman: PMAK-24-34", rf"PMAK-{_HEX}{{24}}-{_HEX}{{34}}", "PMAK-"),
    prefixed(
        "API_KEY", "Airtable: pat14.64", rf"pat[A-Za-z0-9]{{14}}\.{_HEX}{{64}}", f"pat[A-Za-z0-9]{{14}}[.]{_HEX}{{8}}"
    ),
    prefixed("API_KEY", "Supabase: sbp_ and 40", rf"sbp_{_HEX}{{40}}", f"sbp_{_HEX}{{8}}"),
)
OBSERVABILITY = (
    prefixed("OBSERVABILITY_KEY", "Grafana: glsa_32_8", r"glsa_[A-Za-z0-9]{32}_[0-9A-Fa-f]{8}", "glsa_"),
    prefixed("OBSERVABILITY_KEY", "Grafana Cloud: glc_", r"glc_[A-Za-z0-9+/]{32,400}={0,3}", "glc_", end=""),
    prefixed(
        "OBSERVABILITY_KEY", 'Grafana: base64 of {"k":...', r"eyJrIjoi[A-Za-z0-9]{60,400}={0,2}", "eyJrIjoi", end=""
    ),
    prefixed("OBSERVABILITY_KEY", "New Relic: NRAK- and 27", r"NRAK-[A-Z0-9]{27}", "NRAK-"),
    prefixed("OBSERVABILITY_KEY", "New Relic: NRII- and 32", r"NRII-[A-Za-z0-9_-]{32}", "NRII-"),
    prefixed(
        "OBSERVABILITY_KEY",
        "New Relic: 36NRAL",
        r"(?:[a-z]{2}[0-9]{2}xx[0-9a-f]{30}|[0-9a-f]{36})NRAL",
        "[0-9a-f]{8}NRAL",
    ),
    prefixed(
        "OBSERVABILITY_KEY",
        "Sentry: sntrys_...",
        r"sntrys_eyJ[A-Za-z0-9+/]{40,600}={0,2}_[A-Za-z0-9+/]{40,48}",
        "sntrys_eyJ",
        end="",
    ),
    prefixed("OBSERVABILITY_KEY", "Sentry: sntryu_ and 64", rf"sntryu_{_HEX}{{64}}", "sntryu_"),
    prefixed(
        "OBSERVABILITY_KEY",
        "Dynatrace: dt0c01.24.64",
        r"dt0[a-z][0-9]{2}\.[A-Z0-9]{24}\.[A-Z0-9]{64}",
        "dt0[a-z][0-9]{2}[.]",
    ),
)
CLOUD = (
    prefixed(
        "CLOUD_TOKEN", "DigitalOcean: dop_v1_, doo_v1_, dor_v1_ and 64", rf"do[opr]_v1_{_HEX}{{64}}", "do[opr]_v1_"
    ),
    prefixed("CLOUD_TOKEN", "Heroku: HRKU-AA...", r"HRKU-AA[A-Za-z0-9_-]{34,64}", "HRKU-AA"),
    prefixed(
        "CLOUD_TOKEN",
        "Cloudflare: cfk_, cfut_, cfat_, 40 and a checksum",
        r"cf(?:k|ut|at)_[A-Za-z0-9_-]{40,60}",
        "cf(?:k|ut|at)_[A-Za-z0-9_-]{8}",
    ),
    prefixed(
        "CLOUD_TOKEN", "Cloudflare origin CA: v1.0-24-146", rf"v1\.0-{_HEX}{{24}}-{_HEX}{{146}}", f"v1[.]0-{_HEX}{{8}}"
    ),
    prefixed(
        "CLOUD_TOKEN", "Terraform: 14.atlasv1.60", r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,72}", "[.]atlasv1[.]"
    ),
    prefixed("CLOUD_TOKEN", "Databricks: dapi and 32", rf"dapi{_HEX}{{32}}(?:-[0-9])?", f"dapi{_HEX}{{8}}"),
    prefixed("CLOUD_TOKEN", "Alibaba: LTAI and 20", r"LTAI[A-Za-z0-9]{20}", "LTAI[A-Za-z0-9]{8}", accepts=checks.mixed),
    prefixed(
        "CLOUD_TOKEN",
        "Fly.io: FlyV1 fm2_...",
        r"fm[12]_[A-Za-z0-9+/]{100,4000}={0,3}",
        "fm[12]_[A-Za-z0-9+/]{8}",
        end="",
    ),
    prefixed("CLOUD_TOKEN", "Pulumi: pul- and 40", rf"pul-{_HEX}{{40}}", f"pul-{_HEX}{{8}}"),
    prefixed("VAULT_TOKEN", "HashiCorp Vault: hvs., hvb., hvr.", r"hv[sbr]\.[A-Za-z0-9_-]{24,}+", "hv[sbr][.]", end=""),
    SecretPattern(
        entity="VAULT_TOKEN",
        form="HashiCorp Vault before 1.10: s. and 24",
        regex=r"(?<![A-Za-z0-9_.)\]-])[sb]\.(?=[A-Za-z]{0,20}[0-9])[A-Za-z0-9]{24}(?![A-Za-z0-9_.(-])",
        screen="[sb][.][A-Za-z0-9]{24}",
        accepts=checks.mixed,
    ),
    prefixed(
        "AWS_KEY",
        "access key id: AKIA, ASIA and 16",
        r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}",
        "A(?:KI|SI|BI|CC)A[A-Z2-7]{8}",
        end=EDGE,
    ),
    SecretPattern(
        entity="AWS_KEY",
        form="session token: IQoJb3JpZ2lu...",
        regex=r"(?<![A-Za-z0-9+/])(?:IQoJb3JpZ2lu|F[wQ]oGZXIvYXdz)[A-Za-z0-9+/]{80,4096}={0,2}",
        screen="IQoJb3JpZ2lu|F[wQ]oGZXIvYXdz",
    ),
    prefixed("GCP_KEY", "API key: AIza and 35", r"AIza[0-9A-Za-z_-]{35}", "AIza"),
    prefixed("GCP_KEY", "access token: ya29....", r"ya29\.[0-9A-Za-z_-]{20,}+", "ya29", end=""),
    prefixed("GCP_KEY", "client secret: GOCSPX- and 28", r"GOCSPX-[A-Za-z0-9_-]{28}", "GOCSPX-"),
    SecretPattern(
        entity="GCP_KEY",
        form="refresh token: 1//0...",
        regex=r"(?<![A-Za-z0-9:/.])1//0[A-Za-z0-9_-]{40,256}",
        screen="1//0[A-Za-z0-9_-]{8}",
    ),
    SecretPattern(
        entity="AZURE_KEY",
        form="client secret of Entra ID: 40 with 8Q~ at the fourth place",
        regex=r"(?<![\w~.-])[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}(?![\w~-])",
        screen="[78]Q~",
    ),
    SecretPattern(
        entity="AZURE_KEY",
        form="keys with a signature inside: APIM, ACDb, +ASt, +ABa, +AMC, JQQJ9, AZDO",
        regex=r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{76}(?:APIM|ACDb|\+(?:ABa|AMC|ASt))[A-Za-z0-9+/]{5}[AQgw]=="
        r"|[A-Za-z0-9]{52}JQQJ9[9DH][A-Za-z0-9][A-L][A-Za-z0-9]{24}(?:[A-Za-z0-9]{2}==)?|[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4})(?![A-Za-z0-9+/=])",
        screen=r"APIM|ACDb|[+]A(?:Ba|MC|St)|JQQJ9|AZDO",
    ),
)
VENDORS: tuple[SecretPattern, ...] = (*AI, *CODE, *CHAT, *MONEY, *WORK, *OBSERVABILITY, *CLOUD)
