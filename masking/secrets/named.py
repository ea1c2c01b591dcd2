"""Values that the text itself calls secret: ``password=``, ``Authorization:``, ``--token``, ``curl -u``."""

from masking.secrets import checks
from masking.secrets.forms import START, SecretPattern

_LOGIN_WORDS = r"(?:passwo?r?d|passwd|passphrase|pwd)"
_DIRECTORY = r"(?!(?:OLD)?PWD[\"']?[ \t]{0,3}[:=][ \t]{0,3}[\"']?[~/])"
"""The shell's variable for where it is."""
_KEY_WORDS = (
    r"(?:api|app|application|access|private|secret|account|auth|signing|encryption|license|master|shared|webhook"
    r"|consumer)"
)
_TELLING = rf"(?:secret|token|{_KEY_WORDS}[ _.-]?key|apikey|credentials?)"
_IS = r"[ \t]{0,3}(?:=>|:=|[:=](?![=~]))[ \t]{0,3}"
_ASSIGNS = rf"\\{{0,3}}[\"']?{_IS}"
_QUOTED = (
    r"(?:\\{1,3}[\"']\K[^\"'\\\n]{1,1024}(?=\\{1,3}[\"'])|\"\K(?:[^\"\\\n]|\\[^\n]){1,1024}+(?=\")"
    r"|'\K[^'\n]{1,1024}(?='))"
)
_STATED = r"[^\s\"'`,;&<>\\]{1,511}[^\s\"'`,;&<>)}\]\\]"
_GENERATED = r"[^\s\"'`,;&<>(){}\[\]\\]{8,8192}+(?!\()"
_LOGINS = "|".join(
    (
        r"curl[^\n|;]{0,120}?[ \t](?:-u|--user)[ =]?[\"']?[^\s:\"']{1,64}:",
        r"sshpass[ \t]+-p[ \t]?[\"']?",
        r"mysql(?:dump|admin)?[ \t][^\n|;]{0,80}?(?<=[ \t])-p(?=[^\s-])[\"']?",
        r"redis-cli[ \t][^\n|;]{0,80}?(?<=[ \t])-a[ \t]+[\"']?",
        r"(?:docker|podman|helm[ \t]registry|nerdctl)[ \t]login[ \t][^\n|;]{0,80}?(?<=[ \t])-p[ \t]+[\"']?",
    )
)
"""Commands up to the password that they are given."""
_ASSIGNED_SCREEN = r"[\\]*[\"']?[ \t]*[:=]"

NAMED: tuple[SecretPattern, ...] = (
    SecretPattern(
        entity="AWS_KEY",
        form="secret access key: 40 of base64 behind aws or secret_access_key",
        regex=r"(?i:aws|secret_?access_?key)[\w .-]{0,24}"
        + _ASSIGNS
        + r"\\{0,3}[\"']?\K[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])",
        screen=r"(?i:aws|access_?key)[\w .-]{0,24}[\\]*[\"']?[ \t]*[:=]",
        accepts=checks.mixed_base64,
    ),
    SecretPattern(
        entity="AWS_KEY",
        form="the signature of a presigned URL: X-Amz-Signature=",
        regex=r"X-Amz-Signature=\K[0-9a-f]{64}",
        screen="X-Amz-Signature=",
    ),
    SecretPattern(
        entity="GCP_KEY",
        form="the signature of a signed URL: X-Goog-Signature=",
        regex=r"X-Goog-Signature=\K[0-9a-f]{64,1024}",
        screen="X-Goog-Signature=",
    ),
    SecretPattern(
        entity="AZURE_KEY",
        form="AccountKey= and SharedAccessKey= of connection strings",
        regex=r"(?i:AccountKey|SharedAccessKey)=\K[A-Za-z0-9+/]{43,86}={1,2}",
        screen="(?i:AccountKey|SharedAccessKey)=",
    ),
    SecretPattern(
        entity="AZURE_KEY",
        form="the signature of a shared access signature or a workflow's URL: sig=",
        regex=r"[?&;]sig=\K(?:[A-Za-z0-9%+/]{43,64}(?:=|%3[dD])|[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-]))",
        screen="[?&;]sig=",
    ),
    SecretPattern(
        entity="BEARER_TOKEN",
        form="what follows Bearer",
        regex=START + r"(?i:bearer)[ \t]{1,3}\K[A-Za-z0-9._~+/-]{12,8192}={0,2}",
        screen="(?i:bearer)[ \t]",
        accepts=checks.credential,
        score=0.8,
    ),
    SecretPattern(
        entity="BEARER_TOKEN",
        form="what follows Basic, if it is base64 of user:password",
        regex=START + r"(?i:basic)[ \t]{1,3}\K[A-Za-z0-9+/]{6,4096}={0,2}",
        screen="(?i:basic)[ \t]",
        accepts=checks.login,
        score=0.8,
    ),
    SecretPattern(
        entity="BEARER_TOKEN",
        form="the credentials of an Authorization header, whatever its scheme",
        regex=rf"(?i:authorization){_ASSIGNS}"
        r"\\{0,3}[\"']?(?:[A-Za-z][A-Za-z0-9-]{1,30}[ \t]{1,3})?\K[A-Za-z0-9._~+/=-]{16,8192}",
        screen=rf"(?i:authorization){_ASSIGNED_SCREEN}",
        accepts=checks.random,
        score=0.8,
    ),
    SecretPattern(
        entity="BEARER_TOKEN",
        form="base64 of user:password under auth, as in .dockerconfigjson",
        regex=rf"(?i:_?auth){_ASSIGNS}" + r"\\{0,3}[\"']?\K[A-Za-z0-9+/]{8,1024}={0,2}(?![A-Za-z0-9+/=])",
        screen=rf"(?i:auth){_ASSIGNED_SCREEN}",
        accepts=checks.login,
    ),
    SecretPattern(
        entity="KUBERNETES_TOKEN",
        form="bootstrap token behind token: 6.16",
        regex=r"(?i:token)\\{0,3}[\"']?[ \t:=]{1,4}\\{0,3}[\"']?\K[a-z0-9]{6}\.[a-z0-9]{16}(?![A-Za-z0-9_.-])",
        screen=r"[a-z0-9]{6}[.][a-z0-9]{16}",
        accepts=lambda value: any(map(str.isdigit, value)),
    ),
    SecretPattern(
        entity="KUBERNETES_TOKEN",
        form="kubeadm: --certificate-key and 64",
        regex=r"--certificate-key[ =]\K[0-9a-f]{64}(?![0-9a-f])",
        screen="--certificate-key",
    ),
    SecretPattern(
        entity="SECRET",
        form="password=, passwd:, pwd=, passphrase: and a value that is no placeholder",
        regex=rf"{_DIRECTORY}(?i:{_LOGIN_WORDS}){_ASSIGNS}(?:{_QUOTED}|\K{_STATED})",
        screen=rf"(?i:{_LOGIN_WORDS}){_ASSIGNED_SCREEN}",
        accepts=checks.stated,
        score=0.7,
    ),
    SecretPattern(
        entity="SECRET",
        form="secret, token, api_key, credentials and a value that looks generated",
        regex=rf"(?<!:)(?i:{_TELLING}){_ASSIGNS}(?:{_QUOTED}|\K{_GENERATED})",
        screen=rf"(?i:{_TELLING}){_ASSIGNED_SCREEN}",
        accepts=checks.random,
        score=0.6,
    ),
    SecretPattern(
        entity="SECRET",
        form="--password VALUE, --token VALUE, --api-key VALUE",
        regex=rf"{START}--(?:[a-z]{{1,20}}-){{0,3}}(?:{_LOGIN_WORDS}|secret|token|api-?key)[ \t]{{1,3}}(?![-|&>])"
        rf"(?:{_QUOTED}|\K{_STATED})",
        screen=r"(?i:-(?:pass[a-z]{2,6}|pwd|secret|token|api-?key)[ \t])",
        accepts=checks.stated,
        score=0.7,
    ),
    SecretPattern(
        entity="SECRET",
        form="curl -u user:VALUE; sshpass -p VALUE; mysql -pVALUE; redis-cli -a VALUE; docker login -p VALUE",
        regex=rf"{START}(?:{_LOGINS})\K[^\s\"'<>|;]{{2,256}}",
        screen="curl|sshpass|mysql|redis-cli|login",
        accepts=checks.stated,
        score=0.7,
    ),
    SecretPattern(
        entity="SECRET",
        form=".netrc: machine ... login ... password VALUE",
        regex=r"(?:machine[ \t]+\S{1,253}\s+|default\s+)(?:login[ \t]+\S{1,128}\s+)?password[ \t]+\K\S{1,256}",
        screen=r"password[ \t]",
        accepts=checks.stated,
        score=0.7,
    ),
    SecretPattern(
        entity="SECRET",
        form="cookies of a Cookie or Set-Cookie line",
        regex=r"(?im)^[<>*\s]{0,6}(?:set-)?cookie:[ \t]*\K[^\r\n]{8,8192}",
        screen="(?i:cookie):",
        accepts=checks.cookies,
        score=0.7,
    ),
)
