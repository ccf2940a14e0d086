data "aws_availability_zones" "available" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_vpc" "existing" {
  count = var.network.provision_network ? 0 : 1
  id    = var.network.network_id
}

data "aws_subnets" "existing" {
  count = var.network.provision_network ? 0 : 1

  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.existing[0].id]
  }
}

locals {
  zones = var.network.provision_network ? slice(
    data.aws_availability_zones.available.names, 0, min(3, length(data.aws_availability_zones.available.names))
  ) : []
  vpc_id          = var.network.provision_network ? aws_vpc.main[0].id : data.aws_vpc.existing[0].id
  vpc_cidr        = var.network.provision_network ? var.network.cidr_block : data.aws_vpc.existing[0].cidr_block
  private_subnets = var.network.provision_network ? aws_subnet.private[*].id : data.aws_subnets.existing[0].ids
  inside          = distinct(concat([local.vpc_cidr], var.network.allowed_cidr_blocks))
}

resource "aws_vpc" "main" {
  count                = var.network.provision_network ? 1 : 0
  cidr_block           = var.network.cidr_block
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = local.name }
}

resource "aws_internet_gateway" "main" {
  count  = var.network.provision_network ? 1 : 0
  vpc_id = aws_vpc.main[0].id

  tags = { Name = local.name }
}

resource "aws_subnet" "public" {
  count                   = length(local.zones)
  vpc_id                  = aws_vpc.main[0].id
  availability_zone       = local.zones[count.index]
  cidr_block              = cidrsubnet(var.network.cidr_block, 4, count.index)
  map_public_ip_on_launch = true

  tags = {
    Name                     = "${local.name}-public-${local.zones[count.index]}"
    "kubernetes.io/role/elb" = "1"
  }
}

resource "aws_subnet" "private" {
  count             = length(local.zones)
  vpc_id            = aws_vpc.main[0].id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(var.network.cidr_block, 4, count.index + 8)

  tags = {
    Name                              = "${local.name}-private-${local.zones[count.index]}"
    "kubernetes.io/role/internal-elb" = "1"
  }
}

locals {
  nat_gateways = var.network.single_nat_gateway ? min(1, length(local.zones)) : length(local.zones)
}

resource "aws_eip" "nat" {
  count  = local.nat_gateways
  domain = "vpc"

  tags = { Name = "${local.name}-nat-${count.index}" }
}

resource "aws_nat_gateway" "main" {
  count         = local.nat_gateways
  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id
  depends_on    = [aws_internet_gateway.main]

  tags = { Name = "${local.name}-${count.index}" }
}

resource "aws_route_table" "public" {
  count  = var.network.provision_network ? 1 : 0
  vpc_id = aws_vpc.main[0].id

  tags = { Name = "${local.name}-public" }
}

resource "aws_route" "out" {
  count                  = var.network.provision_network ? 1 : 0
  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main[0].id
}

resource "aws_route_table_association" "public" {
  count          = length(local.zones)
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_route_table" "private" {
  count  = length(local.zones)
  vpc_id = aws_vpc.main[0].id

  tags = { Name = "${local.name}-private-${local.zones[count.index]}" }
}

resource "aws_route" "through_nat" {
  count                  = length(local.zones)
  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main[var.network.single_nat_gateway ? 0 : count.index].id
}

resource "aws_route_table_association" "private" {
  count          = length(local.zones)
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}
