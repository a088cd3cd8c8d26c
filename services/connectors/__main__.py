"""`python -m services.connectors`: the connector of one provider, named by `SANCTUAIRE_PROVIDER`."""

from services.connectors.agent import ConnectorAgent
from services.connectors.providers.topic.client import TopicProvider
from services.contract.errors import WrongSettings
from services.runtime.policies import PolicyBook
from services.runtime.settings import Settings
from services.runtime.stream import main


def build(settings: Settings, policies: PolicyBook) -> ConnectorAgent:
    """The one kind there is so far: a topic."""
    provider = settings.provider
    if provider is None:
        message = "set SANCTUAIRE_PROVIDER to the provider that this process tells"
        raise WrongSettings(message)

    def purpose_of(contract_id: str) -> str:
        """The loop has checked the contract for this very batch."""
        contract = policies.by_provider[provider].policy.contract(contract_id)
        return contract.purpose if contract else ""

    return ConnectorAgent(provider, TopicProvider(provider, purpose_of), policies)


if __name__ == "__main__":
    main("connectors", build)
