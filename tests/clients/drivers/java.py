"""Java's two clients, started from source."""

from tests.clients.client import Client

_AUTHENTICATOR = """        var authenticator = new Authenticator() {
            @Override
            protected PasswordAuthentication getPasswordAuthentication() {
                if (getRequestorType() != RequestorType.PROXY) return null;
                return new PasswordAuthentication("agent", System.getenv("GATEHOLD_TOKEN").toCharArray());
            }
        };
"""

HTTP_CLIENT = Client(
    name="Java HttpClient",
    language="java",
    example=f"""import java.net.*;
import java.net.http.*;

public class Agent {{
    public static void main(String[] arguments) throws Exception {{
{_AUTHENTICATOR}        var client = HttpClient.newBuilder().authenticator(authenticator).followRedirects(HttpClient.Redirect.NORMAL).build();
        var request = HttpRequest.newBuilder(URI.create("https://crm.corp.example/customers/1")).build();
        var answer = client.send(request, HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new IllegalStateException(answer.statusCode() + " " + answer.body());
        System.out.println(answer.body());
    }}
}}
""",
    needs="an `Authenticator`",
    unauthenticated="too many authentication attempts",
    unauthenticated_told="too many authentication attempts",
    outer="past it",
    outer_told="no: it goes past the proxy",
    programs=("java",),
    forwarded=((_AUTHENTICATOR, ""), (".authenticator(authenticator)", "")),
)
URL_CONNECTION = Client(
    name="Java HttpsURLConnection",
    language="java",
    example=f"""import java.net.*;
import java.nio.charset.StandardCharsets;

public class Agent {{
    public static void main(String[] arguments) throws Exception {{
{_AUTHENTICATOR}        Authenticator.setDefault(authenticator);
        var connection = (HttpURLConnection) URI.create("https://crm.corp.example/customers/1").toURL().openConnection();
        var status = connection.getResponseCode();
        var stream = status == 200 ? connection.getInputStream() : connection.getErrorStream();
        var text = stream == null ? "" : new String(stream.readAllBytes(), StandardCharsets.UTF_8);
        if (status != 200) throw new IllegalStateException(status + " " + text);
        System.out.println(text);
    }}
}}
""",
    needs="an `Authenticator`",
    outer="past it",
    outer_told="no: it goes past the proxy",
    programs=("java",),
    forwarded=((_AUTHENTICATOR, ""), ("        Authenticator.setDefault(authenticator);\n", "")),
)
